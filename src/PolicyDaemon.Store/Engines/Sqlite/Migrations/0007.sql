-- What people were told of findings, so that a restart neither repeats an alert nor tells an end of which nobody heard the beginning.
-- Programs of versions 3 to 6 neither read nor disturb it.

ALTER TABLE finding ADD COLUMN told_with INTEGER;        -- told together: the lowest id of them; null where it is told by itself

-- What a channel has delivered of an alert that others are still busy with; goes when all are through.
CREATE TABLE alert_delivery (
    finding_id      INTEGER NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    channel         TEXT NOT NULL,
    event           TEXT NOT NULL,
    escalation      INTEGER NOT NULL,
    PRIMARY KEY (finding_id, channel, event, escalation)
);

INSERT INTO schema_version VALUES (7, 3, 3);
