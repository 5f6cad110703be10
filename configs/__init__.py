"""Graphs and microphone arrays in YAML, shipped with Echoic."""
