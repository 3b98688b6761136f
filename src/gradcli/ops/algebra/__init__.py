"""What derivative formulas are made of; each linear operator stands beside its adjoint."""
