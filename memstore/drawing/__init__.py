"""Drawing for people: numbers as colours, labelled contact sheets, PNG and MP4 files. Needs the extra [demo] for films.

ramp    shares, errors, depth as colours      sheet   rows of labelled panels, PNG      film   pictures in a row, MP4
"""
