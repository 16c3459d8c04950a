"""What plate-report is made of: trace.py reads, words.py and tables.py say, figures.py draws, page.py and pdf.py lay out,
write.py writes the file."""
VERSION = "0.1.0"
