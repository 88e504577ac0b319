"""What Airflow needs from Baton: connections, provider info, triggers, retry policy, defaults."""
