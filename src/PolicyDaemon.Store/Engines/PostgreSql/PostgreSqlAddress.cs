using System.Collections;
using System.Globalization;
using Npgsql;
using PolicyDaemon.Core.Configuration;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Makes of libpq's words what Npgsql connects with.</summary>
internal static class PostgreSqlAddress
{
    // Debian's and PostgreSQL's own default, unix_socket_directories.
    private const string Sockets = "/var/run/postgresql";
    private const int ConnectSeconds = 5;

    // What a server that answers takes for a statement at most, the first row of a large sort included; one that does not answer is given up.
    private const int CommandSeconds = 60;

    // The statements of this library number fewer.
    private const int KeptStatements = 200;

    /// <exception cref="FormatException">The words cannot be used.</exception>
    internal static NpgsqlDataSource Parse(string name)
    {
        if (!PostgreSqlWords.TryParse(name[PostgreSqlWords.Prefix.Length..], out var words, out var reason))
            throw new FormatException(reason);
        var host = words.GetValueOrDefault("host", Sockets);
        var hosts = host.Split(',', StringSplitOptions.TrimEntries);
        var ports = words.GetValueOrDefault("port", "5432").Split(',');
        if (ports.Length != 1 && ports.Length != hosts.Length)
            throw new FormatException($"{hosts.Length} hosts and {ports.Length} ports: give one port for all, or one for each");
        var isLocal = hosts.All(one => one.StartsWith('/'));
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = hosts.Length == 1 ? host : string.Join(',', hosts.Select((one, i) => $"{(one.Contains(':') ? $"[{one}]" : one)}:{ports[ports.Length == 1 ? 0 : i]}")),
            Port = int.Parse(ports[0], CultureInfo.InvariantCulture),
            Database = words["dbname"],
            Username = words.GetValueOrDefault("user", Environment.UserName),
            SslMode = words.GetValueOrDefault("sslmode", isLocal ? "disable" : "verify-full") switch
            {
                "disable" => SslMode.Disable,
                "require" => SslMode.Require,
                "verify-ca" => SslMode.VerifyCA,
                _ => SslMode.VerifyFull,
            },
            ApplicationName = words.GetValueOrDefault("application_name", Path.GetFileName(Environment.ProcessPath) ?? "policydaemon"),
            Timeout = words.TryGetValue("connect_timeout", out var seconds) ? int.Parse(seconds, CultureInfo.InvariantCulture) : ConnectSeconds,
            CommandTimeout = CommandSeconds,
            // The slim driver knows no GSS, and refuses to be asked whether the server does.
            GssEncryptionMode = GssEncryptionMode.Disable,
            ClientEncoding = "UTF8",
            Timezone = "UTC",
            Pooling = false,
            Enlist = false,
            MaxAutoPrepare = KeptStatements,
            AutoPrepareMinUsages = 2,
            TcpKeepAlive = true,
        };
        // What stands in the table is of the server that takes writes: a standby may be behind what was answered already.
        if (hosts.Length > 1)
            settings.TargetSessionAttributes = words.GetValueOrDefault("target_session_attrs", "primary");
        if (words.TryGetValue("passfile", out var passwords))
            settings.Passfile = passwords;
        if (words.TryGetValue("sslrootcert", out var root))
            settings.RootCertificate = root;
        if (words.TryGetValue("sslcert", out var certificate))
            settings.SslCertificate = certificate;
        if (words.TryGetValue("sslkey", out var key))
            settings.SslKey = key;
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableTransportSecurity();
        // BIGINT and TEXT are all that is used, which the driver knows without asking.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return builder.Build();
    }

    /// <summary>The configuration is the only source: what the driver would read from PG* variables is taken out of this process's environment.</summary>
    internal static void ForgetEnvironment()
    {
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key).Where(IsOfLibrary).ToList())
            Environment.SetEnvironmentVariable(name, null);
    }

    private static bool IsOfLibrary(string name) => name.StartsWith("PG", StringComparison.Ordinal) && name.Length > 2 && name.AsSpan(2).ContainsAnyExceptInRange('A', 'Z') == false;
}
