"""What every forked command has imported already (`warm_process.py`)."""

import faiss
import rich.table
import scipy.signal
import soundfile
import torch

import models.beam_overlap
import models.fixed_beams
import models.guided_masks
import models.online_beamformer
import models.srp_phat
import models.weights
import pipeline.app.asking
import pipeline.app.commands
import pipeline.app.consolidating
import pipeline.app.daemon
import pipeline.app.doctor
import pipeline.app.listing
import pipeline.app.reindexing
import pipeline.app.replay
import pipeline.app.transcripts
import stages.answer.extractive
import stages.audio.bearing_tracker
import stages.audio.delay_and_sum
import stages.audio.srp_phat
import stages.capture.file_source
import stages.events.surprise_with_sounds
import stages.memory.long_term_memory
import stages.memory.remember
import stages.memory.remember_events
import stages.memory.remember_sounds
import stages.memory.sleeping.sleep_steps
import stages.memory.transcript_files
import stages.memory.vectors.reencoding
import stages.recall.keyword_recall
import stages.speech.energy_vad
import stages.speech.utterance_cutter
import tests.faults.light_stages

__all__ = ["faiss", "models", "pipeline", "rich", "scipy", "soundfile", "stages", "tests", "torch"]
