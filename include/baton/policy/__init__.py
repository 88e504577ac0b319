"""The written agreement between marketing and sales: models, loader, linter, roster."""
