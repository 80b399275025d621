using System.Globalization;

namespace PolicyDaemon.Packages.Machines;

/// <summary>
/// A machine with a Postfix in its distribution's default chroot, which sends to partner.test, and with another instance of Postfix
/// that is partner.test's server, with a certificate nobody but a pin vouches for.
/// </summary>
public sealed class MailMachine : IAsyncDisposable
{
    private int _messages;

    private MailMachine(Machine machine) => Machine = machine;

    public Machine Machine { get; }

    /// <summary>SHA-256 of the public key of partner.test's server.</summary>
    public string PartnerPin { get; private set; } = "";

    public static async Task<MailMachine> BootAsync(string suite)
    {
        var mail = new MailMachine(await Machine.BootAsync(suite));
        try
        {
            await mail.StartPartnerAsync();
            return mail;
        }
        catch
        {
            await mail.DisposeAsync();
            throw;
        }
    }

    /// <summary>Installs the package as dpkg does it; its dependencies are there.</summary>
    public async Task<CommandResult> InstallAsync(string package)
    {
        var result = await Machine.RunAsync("dpkg", "--install", "--force-confold", Machine.Bring(package));
        return result.ExitCode == 0 ? result : throw new InvalidOperationException($"{result}\n{await Machine.EvidenceAsync()}");
    }

    /// <summary>Gives partner.test the pin of its server's key and waits until the daemon serves it.</summary>
    public async Task PinPartnerAsync()
    {
        await Machine.DoAsync($"policyctl domain add partner.test --level fingerprint --match {PartnerPin}");
        await ServesAsync("fingerprint");
    }

    /// <summary>Waits until the daemon's answer for partner.test begins like this.</summary>
    public Task ServesAsync(string answer)
    {
        var last = "";
        return Until.TrueAsync($"policyd answers \"{answer}...\"", async () =>
        {
            last = (await Machine.RunAsync("policyctl", "query", "partner.test")).ToString();
            return last.Contains($"stdout: {answer}", StringComparison.Ordinal);
        }, () => last);
    }

    /// <summary>Replaces the [lookup] section, as an administrator edits the file, and takes the change over.</summary>
    public Task ListenAsync(string socketmap, string tcpTable = "") => Machine.DoAsync(
        $"""
        sed -i 's|^socketmap =.*|socketmap = {socketmap}|; s|^tcp_table =.*|tcp_table = {tcpTable}|' /etc/policydaemon/policydaemon.conf
        systemctl daemon-reload
        systemctl restart policyd.socket
        """);

    public Task UsePolicyMapAsync(string map) =>
        Machine.DoAsync($"postconf -e 'smtp_tls_policy_maps = {map}' smtp_tls_fingerprint_digest=sha256; postfix reload");

    /// <summary>Sends a message to partner.test and waits for the log line of its first attempt.</summary>
    /// <returns>The whole mail log of this attempt, from the moment it was sent.</returns>
    public async Task<string> SendAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"user{++_messages}@partner.test");
        // What an earlier failure left behind must not decide about this message.
        await Machine.DoAsync("postsuper -d ALL 2>/dev/null; postfix reload 2>/dev/null");
        var before = await Machine.DoAsync("cat /var/log/mail.log 2>/dev/null | wc -l");
        await Machine.DoAsync($"printf 'Subject: test\\n\\nHello.\\n' | sendmail -f sender@client.test {name}");
        return await Until.ResultAsync($"{name} was tried", async () =>
        {
            var log = await Machine.DoAsync($"tail -n +$(({before} + 1)) /var/log/mail.log");
            return log.Split('\n').Any(line => line.Contains("postfix/smtp[", StringComparison.Ordinal)
                && line.Contains($"to=<{name}>", StringComparison.Ordinal) && line.Contains("status=", StringComparison.Ordinal)) ? log : null;
        });
    }

    public ValueTask DisposeAsync() => Machine.DisposeAsync();

    private async Task StartPartnerAsync()
    {
        await Machine.DoAsync(
            """
            exec 2>&1
            ip address add 127.0.0.25/32 dev lo
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=nobody.invalid \
                -keyout /etc/postfix/partner.pem -out /etc/postfix/partner.crt
            cat /etc/postfix/partner.crt >>/etc/postfix/partner.pem
            postmulti -e init
            postmulti -I postfix-partner -e create
            postconf -c /etc/postfix-partner -e master_service_disable= authorized_submit_users= myhostname=mx.partner.test \
                inet_interfaces=127.0.0.25 inet_protocols=ipv4 mydestination=partner.test local_recipient_maps= \
                local_transport=discard: smtpd_tls_security_level=may smtpd_tls_chain_files=/etc/postfix/partner.pem \
                maillog_file=/var/log/partner.log maillog_file_prefixes=/var/log compatibility_level=3.6
            postmulti -i postfix-partner -e enable
            systemctl daemon-reload
            systemctl restart postfix
            # From Debian 13 on each further instance is a service to be started.
            ! systemctl cat postfix@.service | grep -q 'AssertPathExists=/etc/postfix-%I' || systemctl start postfix@partner
            """);
        PartnerPin = (await Machine.DoAsync(
            "openssl x509 -in /etc/postfix/partner.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1")).Trim();
        await Until.TrueAsync("partner.test's server answers", () =>
            Machine.SucceedsAsync("exec 3<>/dev/tcp/127.0.0.25/25 && read -t 5 -u 3 greeting && [[ $greeting == 220* ]]"));
    }
}
