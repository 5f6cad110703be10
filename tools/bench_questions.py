"""What the benchmark asks about the demo's room: a missed conversation, facts, and something that nobody said."""

QUESTIONS = [
    "What did I miss while I was following the conversation about dogs?",
    "When does the ferry leave?",
    "Where do we meet for the ferry?",
    "How much was one ticket?",
    "Who brings the bread?",
    "What is the name of the plumber?",
    "Where is the key?",
    "Who bought a new bicycle?",
]
