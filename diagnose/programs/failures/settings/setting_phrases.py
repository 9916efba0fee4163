"""The words of programs about a setting that is given or not; pieces of verbose patterns."""

GIVEN = r"(?:configured|defined|found|given|present|provided|set|specified)\b"
KIND = r"(?:key|option|property|setting)\b"
"""Words for a setting. A field or a parameter belongs to a request as often."""
LACKING = rf"(?:mandatory|missing|required|not\ {GIVEN})"
OF_DATA = (
    r"(?!['\"`)]{0,2}\ (?:by|from|in|of)\ (?:an?\ |each\ |the\ )?"
    r"(?:body|caller|client|event|header|message|payload|query|record|request|response|result|row)\b)"
)
"""Words that no setting has behind it: there the name is of a field of a request or record."""
