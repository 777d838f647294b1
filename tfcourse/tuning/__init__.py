"""One run from data to result: begun, searched, its leaders trained again, its model saved and judged."""
