"""New plugins: packages and plugin files, written from templates."""
