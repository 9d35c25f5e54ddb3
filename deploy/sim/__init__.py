"""A world of made-up customers, in which it is known what each of them would accept: to see the learning at work."""
