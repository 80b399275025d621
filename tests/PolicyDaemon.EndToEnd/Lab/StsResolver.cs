namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Debian's postfix-mta-sts-resolver over the laboratory's zones, to compare with. It looks at a policy's id with every question, as often as it can be told to.</summary>
public sealed class StsResolver : IAsyncDisposable
{
    private readonly RunningProcess _process;
    private readonly string _socket;

    private StsResolver(RunningProcess process, string socket)
    {
        _process = process;
        _socket = socket;
    }

    public static async Task<StsResolver> StartAsync(Sandbox sandbox, LabCertificates certificates)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        ArgumentNullException.ThrowIfNull(certificates);
        var folder = Directory.CreateDirectory(Path.Combine(sandbox.Folder, "sts-resolver")).FullName;
        var socket = Path.Combine(folder, "socket");
        var configuration = Path.Combine(folder, "mta-sts-daemon.yml");
        await File.WriteAllTextAsync(configuration, $"""
            path: {socket}
            mode: 0666
            shutdown_timeout: 1
            cache_grace: 0
            cache:
              type: internal
              options:
                cache_size: 10000
            default_zone:
              strict_testing: false
              timeout: 4

            """);
        var resolver = new StsResolver(
            sandbox.Start(["env", $"SSL_CERT_FILE={certificates.AuthorityFile}", "mta-sts-daemon", "-c", configuration]), socket);
        await Until.TrueAsync("mta-sts-daemon listens", () => Task.FromResult(File.Exists(socket)), () => resolver._process.Said);
        return resolver;
    }

    /// <summary>Asks as Postfix does.</summary>
    public async Task<string> AnswerAsync(string key)
    {
        using var connection = await SocketmapConnection.OpenAsync(_socket);
        return await connection.AskAsync("postfix", key) ?? "no answer";
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
