"""Our agents with their defaults, and Stable-Baselines3's, on environments that are not the articles'.

    python -m bench.elsewhere --side ours --seeds 100:110
    python -m bench.elsewhere --side sb3 --seeds 100:110
    python -m bench.elsewhere.table

Each run is a process of its own with one thread, and one line of docs/results/elsewhere.jsonl. The last
command writes the tables of docs/results/elsewhere.md.
"""
