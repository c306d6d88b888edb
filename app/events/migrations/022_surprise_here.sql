-- How unexpected the best noun is at its place and hour of the day, by what the camera saw before,
-- bits; NULL where too little was seen.
ALTER TABLE event ADD COLUMN surprise_here_bits REAL;
