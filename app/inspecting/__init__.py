"""Inspection of stills: parts, surfaces, anything that is photographed one by one."""
