using System.Text.Json;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>The servers of all kinds, running.</summary>
internal sealed class MailServers : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly RunningProcess _process;

    private MailServers(RunningProcess process) => _process = process;

    public static async Task<MailServers> StartAsync(Sandbox sandbox, IEnumerable<MailServer> servers, string folder)
    {
        var written = new Dictionary<ServedCertificate, string>();
        string File(ServedCertificate certificate)
        {
            if (written.TryGetValue(certificate, out var file)) return file;
            written[certificate] = file = Path.Combine(folder, $"{written.Count}.pem");
            System.IO.File.WriteAllText(file, certificate.Pem);
            return file;
        }

        var scripts = servers.Select(server => new
        {
            server.Addresses, server.Port, server.Greeting, server.Ehlo, server.Helo, server.EhloTls, server.Starttls, server.Behind, server.Handshake,
            server.Mail, server.Newline,
            Tls = server.Tls is not { } tls ? null : new
            {
                Chains = tls.Certificates.Select(File), tls.Minimum, tls.Maximum, tls.Ciphers, tls.Curve, tls.Dh, tls.Client, tls.SniOnly, tls.Delay,
                tls.Options,
                Sni = tls.Sni.ToDictionary(pair => pair.Key, pair => new[] { File(pair.Value) }),
            },
        }).ToList();
        var script = Path.Combine(folder, "servers.json");
        await System.IO.File.WriteAllTextAsync(script, JsonSerializer.Serialize(scripts, Json));
        // The system's own Python: another one may bring an OpenSSL of its own.
        var process = sandbox.StartOnMx(["/usr/bin/python3", "-u", Path.Combine(AppContext.BaseDirectory, "Lab", "mail-servers.py"), script]);
        await Until.TrueAsync("the mail servers listen", () => process.HasExited
            ? throw new InvalidOperationException(process.Said)
            : Task.FromResult(process.Said.Contains("ready", StringComparison.Ordinal)), () => process.Said);
        return new MailServers(process);
    }

    /// <summary>The recipients of the mails that were taken, and whether over TLS.</summary>
    public IReadOnlyDictionary<string, bool> Taken => _process.Said.Split('\n')
        .Select(line => line.Split(' ')).Where(words => words is ["taken", _, _])
        .GroupBy(words => words[2]).ToDictionary(words => words.Key, words => words.Last()[1] == "tls");

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
