"""Examples made of a team's own documents and votes, by the way that questions are answered."""
