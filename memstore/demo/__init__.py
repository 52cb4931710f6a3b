"""The demo: what memstore does, on real input, in stages that each leave pictures and figures behind.

stages    which there are, and how they follow each other
memory    two sessions remember two places; a third looks around in them from where nobody stood

remember, look, walk and score are what stages are made of; child runs the command line in processes of its own.
"""
