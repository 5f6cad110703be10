"""Short-term memory: traces, the gate before them, what rehearses them, and the prototypes that they leave behind."""
