"""What was heard when Echoic went back to a recording: a file a line, beside the memory's tables."""
