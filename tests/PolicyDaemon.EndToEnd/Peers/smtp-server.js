// A mail server of smtp-server that tells of its clients: "EHLO NAME", "QUIT", "left", and its errors.
//   node smtp-server.js FILE      a JSON object: host, address, certificates, keys, minimum, maximum
'use strict';
const fs = require('fs');
const { SMTPServer } = require('smtp-server');

const options = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const say = line => process.stdout.write(line + '\n');
const quiet = () => {};
const server = new SMTPServer({
    name: options.host,
    key: options.keys.map(file => fs.readFileSync(file)),
    cert: options.certificates.map(file => fs.readFileSync(file)),
    minVersion: options.minimum,
    maxVersion: options.maximum,
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: options.certificates.length === 0 ? ['STARTTLS'] : [],
    logger: {
        level: quiet,
        trace: quiet,
        info: quiet,
        warn: quiet,
        fatal: (entry, ...text) => say('error: ' + text.join(' ')),
        error: (entry, ...text) => say('error: ' + text.join(' ')),
        debug: (entry, format, ...text) => {
            const command = /^(EHLO .*|QUIT)$/.exec((text[0] || '').trim());
            if (entry.tnx === 'command' && command) say(command[1]);
        }
    },
    onClose: () => say('left')
});
server.on('error', error => say('error: ' + error.message));
server.listen(25, options.address);
