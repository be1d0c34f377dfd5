"""From one source notebook to release, bundle and solution."""
