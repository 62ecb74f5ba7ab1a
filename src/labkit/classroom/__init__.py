"""A class's submissions: how they are made, graded, recorded and reported."""
