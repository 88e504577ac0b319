"""What people do by hand on the pages: permitted, safe twice, recorded under their names."""
