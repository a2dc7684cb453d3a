"""One agent trained by many machines: Ray actors play, one learner learns."""
