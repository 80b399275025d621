INSERT INTO discovered VALUES('discovered.example',1795472880,1,1795559280,1811197680,'{}');
INSERT INTO verdict_change VALUES(1,'discovered.example',1795472880,NULL,NULL,'secure match=mx.discovered.example servername=hostname','8','{}');
INSERT INTO discovery_notice VALUES(1,'discovered.example');
