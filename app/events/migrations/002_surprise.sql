-- How unexpected the best noun is at the site, bits; NULL where no site's decoder names things.
ALTER TABLE event ADD COLUMN surprise_bits REAL;
