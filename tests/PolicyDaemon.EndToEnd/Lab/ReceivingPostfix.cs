using System.Globalization;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>The mail servers of the laboratory's destinations: one Postfix with an smtpd per address; mail is logged and dropped.</summary>
public sealed class ReceivingPostfix
{
    private readonly PostfixInstance _postfix;

    internal ReceivingPostfix(Sandbox sandbox)
    {
        _postfix = new PostfixInstance(sandbox, "mx", (command, _) => sandbox.RunOnMxAsync(command));
        Servers = [.. Enumerable.Range(1, LabNetwork.Servers).Select(number => new ReceivingServer(this, number))];
    }

    public IReadOnlyList<ReceivingServer> Servers { get; }

    public LogFile Log => _postfix.Log;

    /// <summary>Whether this message arrived at one of the servers.</summary>
    public bool Received(SentMessage message) => Log.Contains($"message-id=<{message.MessageId}>");

    internal async Task PresentAsync(int server, LabCertificate[] certificates)
    {
        var file = ChainFile(server);
        // Renamed into place: an smtpd that starts meanwhile reads the old or the new one.
        var next = file + ".new";
        await File.WriteAllTextAsync(next, string.Concat(certificates.Select(c => c.Pem)));
        File.Move(next, file, overwrite: true);
        await _postfix.ConfigureAsync($"server{server}_level = {(certificates.Length == 0 ? "none" : "may")}");
    }

    /// <summary>Sets what is a server's own in main.cf; see <see cref="StartAsync"/>.</summary>
    internal Task ConfigureAsync(int server, string parameter, string value) =>
        _postfix.ConfigureAsync($"server{server}_{parameter} = {value}");

    internal async Task StartAsync()
    {
        var main = new StringBuilder("""
            myhostname = receiver.plain.test
            inet_interfaces = all
            mynetworks = 192.0.2.0/24 [2001:db8:25::]/64
            smtpd_relay_restrictions = permit_mynetworks, reject
            smtpd_peername_lookup = no
            transport_maps = static:discard:
            smtpd_tls_loglevel = 1

            """);
        var master = new StringBuilder(SendingPostfix.CommonServices);
        for (var server = 1; server <= LabNetwork.Servers; server++)
        {
            // Every handshake shows the certificate, unless a story wants tickets.
            main.Append(CultureInfo.InvariantCulture, $"""
                server{server}_level = none
                server{server}_protocols = >=TLSv1
                server{server}_ciphers = HIGH:MEDIUM
                server{server}_ssl_options = NO_TICKET

                """);
            await File.WriteAllTextAsync(ChainFile(server), "");
            foreach (var address in new[] { $"{LabNetwork.IPv4(server)}", $"[{LabNetwork.IPv6(server)}]" })
            {
                foreach (var port in new[] { 25, 587 })
                {
                    // One connection per process, so that every connection meets the configuration as it is now.
                    master.Append(CultureInfo.InvariantCulture, $"""
                        {address}:{port} inet n - n - - smtpd
                            -o max_use=1
                            -o smtpd_tls_security_level=$server{server}_level
                            -o smtpd_tls_chain_files={ChainFile(server)}
                            -o smtpd_tls_protocols=$server{server}_protocols
                            -o tls_medium_cipherlist=$server{server}_ciphers
                            -o tls_ssl_options=$server{server}_ssl_options

                        """);
                }
            }
        }

        await _postfix.StartAsync(main.ToString(), master.ToString());
    }

    private string ChainFile(int server) => Path.Combine(_postfix.Folder, $"server{server}.pem");
}
