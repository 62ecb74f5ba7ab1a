"""The autograder's checks, one module a stage; stages.toml names them in order."""
