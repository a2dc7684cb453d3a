"""One agent trained on many machines: Ray actors play, one learner learns."""
