-- Of IN with more than two values SQLite makes a table, anew with every row of an index whose condition it is: a third of what a pin cost.
-- Programs of version 9 read and write it as before; what they ask of these indexes takes them longer.

DROP INDEX pin_served;
CREATE INDEX pin_served ON pin (destination_id) WHERE state = 'standby' OR state = 'active' OR state = 'retiring';

DROP INDEX pin_decided;
CREATE INDEX pin_decided ON pin (fingerprint, destination_id)
    WHERE state = 'standby' OR state = 'active' OR state = 'retiring' OR state = 'rejected' OR state = 'revoked';

INSERT INTO schema_version VALUES (10, 9, 9);
