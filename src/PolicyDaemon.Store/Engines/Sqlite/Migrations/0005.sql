-- What the last probe of a target met beyond its outcome, so that a forecast from the store says what one from a probe does. Older
-- programs leave it as it is; its own time tells of which attempt it is.
ALTER TABLE probe_target ADD COLUMN last_dialogue TEXT; -- JSON

UPDATE probe_target SET last_dialogue =
    (SELECT json_patch('{}', json_object(
         'at', o.at, 'stage', o.stage, 'reply_code', o.reply_code,
         'negotiated', json_extract(o.certificates, '$[0].algorithm'), 'tls_version', json_extract(o.certificates, '$[0].tls_version')))
     FROM observation o WHERE o.probe_target_id = probe_target.id AND coalesce(json_valid(o.certificates), 1) ORDER BY o.id DESC LIMIT 1);

INSERT INTO schema_version VALUES (5, 3, 3);
