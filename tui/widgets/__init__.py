"""What the screen is made of: the stage shows a canvas, the views are dialogues as canvases."""
