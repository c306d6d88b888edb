"""Where frames come from: files, webcams and network cameras, all behind one protocol."""
