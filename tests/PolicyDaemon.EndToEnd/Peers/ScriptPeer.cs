using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>A mail server of a library: Python's aiosmtpd or Node's smtp-server, which a script of a few lines runs and lets tell of its clients.</summary>
public sealed partial class ScriptPeer(Laboratory lab, PeerProgram program, PeerSetup setup, IPAddress address) : Peer(lab, program, setup, address)
{
    private readonly bool _isPython = program == PeerProgram.Aiosmtpd;

    protected override PeerLog Log => new(Ends, Quits, Complains, Said);

    protected override async Task BeginAsync()
    {
        await WriteCertificatesAsync();
        var options = Path.Combine(Folder, "options.json");
        await File.WriteAllTextAsync(options, JsonSerializer.Serialize(new
        {
            host = Host,
            address = $"{Address}",
            certificates = Files("pem", Folder),
            keys = Files("key", Folder),
            minimum = Setup == PeerSetup.OneEcdsaTls13 ? "TLSv1.3" : "TLSv1.2",
            maximum = Setup == PeerSetup.OneEcdsaTls12 ? "TLSv1.2" : "TLSv1.3",
            refusesEhloOverTls = Setup == PeerSetup.RefusesEhloOverTls,
        }));
        string[] command = _isPython
            ? ["/usr/bin/python3", Path.Combine(AppContext.BaseDirectory, "Peers", "aiosmtpd-server.py"), options]
            : ["env", $"NODE_PATH={Path.Combine(Repository.Root, "artifacts", "mail-servers", "node", "node_modules")}",
                "node", Path.Combine(AppContext.BaseDirectory, "Peers", "smtp-server.js"), options];
        Process = Lab.Sandbox.StartOnMx(command);
    }

    [GeneratedRegex("^left$")]
    private static partial Regex Ends { get; }

    [GeneratedRegex("^QUIT$")]
    private static partial Regex Quits { get; }

    [GeneratedRegex("rror|Traceback|xception")]
    private static partial Regex Complains { get; }

    [GeneratedRegex("^EHLO (.*)$")]
    private static partial Regex Said { get; }
}
