"""API Gateway's data plane: requests to deployed APIs become invocations, and answers again."""
