"""Tools around Echoic that are not shipped with it: scenes with known truth, benchmarks."""
