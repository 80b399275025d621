using PolicyDaemon.Core.Configuration;

namespace PolicyDaemon.Administration.Postfix;

/// <summary>A table name in smtp_tls_policy_maps that speaks one of our protocols.</summary>
/// <param name="Text">As main.cf writes it.</param>
/// <param name="Proxied">Asked through proxymap(8).</param>
/// <param name="Protocol"><c>socketmap</c> or <c>tcp</c>.</param>
/// <param name="Endpoint"><c>inet:HOST:PORT</c> or <c>unix:PATH</c>.</param>
/// <param name="Map">The socketmap's NAME; empty for tcp.</param>
public sealed record PolicyMap(string Text, bool Proxied, string Protocol, string Endpoint, string Map)
{
    /// <summary>The path of a unix socket; null for TCP.</summary>
    public string? SocketPath => Endpoint.StartsWith("unix:", StringComparison.Ordinal) ? Endpoint[5..] : null;

    /// <summary>Reads <c>[proxy:]socketmap:inet:HOST:PORT:NAME</c>, <c>[proxy:]socketmap:unix:PATH:NAME</c>, <c>tcp:HOST:PORT</c>.</summary>
    /// <returns>Null for any other table.</returns>
    public static PolicyMap? TryParse(string text)
    {
        var proxied = text.StartsWith("proxy:", StringComparison.Ordinal);
        var rest = proxied ? text["proxy:".Length..] : text;
        if (rest.StartsWith("tcp:", StringComparison.Ordinal))
            return new(text, proxied, "tcp", "inet:" + rest[4..], "");
        if (!rest.StartsWith("socketmap:", StringComparison.Ordinal))
            return null;
        rest = rest["socketmap:".Length..];
        // dict_sockmap_open: NAME is what follows the last colon. "local" is an alias of "unix" (auto_clnt_create).
        var colon = rest.LastIndexOf(':');
        if (colon < 0)
            return null;
        var endpoint = rest[..colon];
        if (endpoint.StartsWith("local:", StringComparison.Ordinal))
            endpoint = "unix:" + endpoint[6..];
        return new(text, proxied, "socketmap", endpoint, rest[(colon + 1)..]);
    }

    /// <summary>True where policyd answers at this endpoint.</summary>
    public bool IsServedBy(Settings settings, string queueDirectory) =>
        (Protocol == "tcp" ? settings.TcpTable : settings.Socketmap)
            .Any(endpoint => Canonical(endpoint.Text, queueDirectory) == Canonical(Endpoint, queueDirectory));

    /// <summary>How main.cf should name an endpoint of ours: a socket below the queue directory relative to it, so that it works in and out of the chroot.</summary>
    public static string Propose(string endpoint, string queueDirectory, string map) =>
        endpoint.StartsWith("unix:", StringComparison.Ordinal) && Below(endpoint[5..], queueDirectory) is { } relative
            ? $"socketmap:unix:{relative}:{map}"
            : $"socketmap:{endpoint}:{map}";

    /// <summary>The path relative to a directory above it; null where it lies elsewhere.</summary>
    public static string? Below(string path, string directory)
    {
        var prefix = directory.TrimEnd('/') + "/";
        return path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : null;
    }

    private static string Canonical(string endpoint, string queueDirectory)
    {
        if (endpoint.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = endpoint[5..];
            return "unix:" + (path.StartsWith('/') ? path : Path.Combine(queueDirectory, path));
        }

        var hostAndPort = endpoint.StartsWith("inet:", StringComparison.Ordinal) ? endpoint[5..] : endpoint;
        var colon = hostAndPort.LastIndexOf(':');
        var host = colon < 0 ? hostAndPort : hostAndPort[..colon];
        // Postfix takes an empty host as localhost.
        return $"inet:{(host is "" or "localhost" ? "127.0.0.1" : host)}:{hostAndPort[(colon + 1)..]}";
    }
}
