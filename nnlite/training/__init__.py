"""Training as in Keras: streams of batches, the loop over them, and the checks of what fit is given."""
