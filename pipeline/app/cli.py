"""The command `echoic`: from arguments to an exit code.

Exit codes: 0; 2 when the caller must change something (an option, a YAML, a file); 1 when the work failed (disk, model,
device); 130 after Ctrl-C. Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys

from pipeline.app.failures import INTERRUPTED, report
from pipeline.process_settings import settle_process


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; no traceback reaches a person unless ECHOIC_TRACEBACK=1."""
    settle_process()
    try:
        # Imported here, so that Ctrl-C during the imports ends as quietly as later.
        from pipeline.app.commands import app

        code = app(arguments, prog_name="echoic", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the results has gone (`echoic events | head`); keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        code = report(error)
    if code == INTERRUPTED:
        sys.stderr.write("echoic: interrupted\n")
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
