"""Tables, figures, the HTML page. Imports no torch."""
