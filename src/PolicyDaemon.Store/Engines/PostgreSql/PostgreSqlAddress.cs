using System.Collections;
using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>One server of those that libpq's words name, as Npgsql connects to it.</summary>
/// <param name="Host">Its name or address, or the directory of its socket.</param>
/// <param name="Prepared">Connections that keep statements at the server.</param>
/// <param name="Plain">Connections that keep none, for a pool between.</param>
internal sealed record PostgreSqlAddress(string Host, int Port, NpgsqlDataSource Prepared, NpgsqlDataSource Plain)
{
    // Debian's and PostgreSQL's own default, unix_socket_directories.
    private const string Sockets = "/var/run/postgresql";

    // A server that is gone says nothing; where there are others, they are not kept waiting for it.
    private const int ConnectSeconds = 5;
    private const int ConnectSecondsOfSeveral = 2;

    // What a server that answers takes for a statement at most, the first row of a large sort included; one that does not answer is given up.
    private const int CommandSeconds = 60;

    // The statements of this library number fewer.
    private const int KeptStatements = 200;

    /// <summary>As messages name it.</summary>
    internal string Name => Host.StartsWith('/') ? Host : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <exception cref="FormatException">The words cannot be used.</exception>
    internal static IReadOnlyList<PostgreSqlAddress> Parse(IReadOnlyDictionary<string, string> words)
    {
        var hosts = words.GetValueOrDefault("host", Sockets).Split(',', StringSplitOptions.TrimEntries);
        var ports = words.GetValueOrDefault("port", "5432").Split(',');
        if (ports.Length != 1 && ports.Length != hosts.Length)
            throw new FormatException($"{hosts.Length} hosts and {ports.Length} ports: give one port for all, or one for each");
        return [.. hosts.Select((host, i) => Of(words, host, int.Parse(ports[ports.Length == 1 ? 0 : i], CultureInfo.InvariantCulture), hosts.Length > 1))];
    }

    /// <summary>The configuration is the only source: what the driver would read from PG* variables is taken out of this process's environment.</summary>
    internal static void ForgetEnvironment()
    {
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key).Where(IsOfLibrary).ToList())
            Environment.SetEnvironmentVariable(name, null);
    }

    private static PostgreSqlAddress Of(IReadOnlyDictionary<string, string> words, string host, int port, bool isOneOfSeveral)
    {
        var usual = isOneOfSeveral ? ConnectSecondsOfSeveral : ConnectSeconds;
        var mode = words.GetValueOrDefault("sslmode", host.StartsWith('/') ? "disable" : "verify-full");
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Port = port,
            Database = words["dbname"],
            Username = words.GetValueOrDefault("user", Environment.UserName),
            // What is verified is verified below.
            SslMode = mode == "disable" ? SslMode.Disable : SslMode.Require,
            ApplicationName = words.GetValueOrDefault("application_name", Path.GetFileName(Environment.ProcessPath) ?? "policydaemon"),
            Timeout = words.TryGetValue("connect_timeout", out var seconds) ? int.Parse(seconds, CultureInfo.InvariantCulture) : usual,
            CommandTimeout = CommandSeconds,
            // The slim driver knows no GSS, and refuses to be asked whether the server does.
            GssEncryptionMode = GssEncryptionMode.Disable,
            ClientEncoding = "UTF8",
            Timezone = "UTC",
            Pooling = false,
            Enlist = false,
            TcpKeepAlive = true,
        };
        if (words.TryGetValue("sslcert", out var certificate))
            settings.SslCertificate = certificate;
        if (words.TryGetValue("sslkey", out var key))
            settings.SslKey = key;
        var passwords = words.GetValueOrDefault("passfile");
        var root = words.GetValueOrDefault("sslrootcert");
        var plain = Build(new NpgsqlConnectionStringBuilder(settings.ConnectionString), mode, passwords, root);
        settings.MaxAutoPrepare = KeptStatements;
        settings.AutoPrepareMinUsages = 2;
        return new PostgreSqlAddress(host, port, Build(settings, mode, passwords, root), plain);
    }

    private static NpgsqlDataSource Build(NpgsqlConnectionStringBuilder settings, string mode, string? passwords, string? root)
    {
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableTransportSecurity();
        if (mode.StartsWith("verify-", StringComparison.Ordinal))
            builder.UseSslClientAuthenticationOptionsCallback(options => Verify(options, mode == "verify-full", root));
        // BIGINT and TEXT are all that is used, which the driver knows without asking.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        // Asked only where the server asks for a password.
        builder.UsePasswordProvider(
            to => PasswordFile.Find(passwords, to.Host!, to.Port, to.Database!, to.Username!),
            (to, _) => ValueTask.FromResult(PasswordFile.Find(passwords, to.Host!, to.Port, to.Database!, to.Username!)));
        return builder.Build();
    }

    // Npgsql verifies as well, and does not say what is wrong.
    private static void Verify(SslClientAuthenticationOptions options, bool name, string? root)
    {
        options.CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (root is not null)
        {
            options.CertificateChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            options.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(root);
        }

        options.RemoteCertificateValidationCallback = (_, _, chain, errors) => Problem(name ? errors : errors & ~SslPolicyErrors.RemoteCertificateNameMismatch, chain) is { } problem
            ? throw new AuthenticationException(problem)
            : true;
    }

    private static string? Problem(SslPolicyErrors errors, X509Chain? chain) => errors switch
    {
        SslPolicyErrors.None => null,
        _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && chain is not null
            && chain.ChainStatus.All(status => status.Status is X509ChainStatusFlags.NotTimeValid or X509ChainStatusFlags.NoError) =>
            "the server's certificate has expired, or is not valid yet; renew it, and look at this machine's clock",
        _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) =>
            "no CA that is trusted issued the server's certificate; name the file of the right one with sslrootcert",
        _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) =>
            "the server's certificate is for another name than the host that is named; name it as its certificate does",
        _ => "the server shows no certificate",
    };

    private static bool IsOfLibrary(string name) => name.StartsWith("PG", StringComparison.Ordinal) && name.Length > 2 && name.AsSpan(2).ContainsAnyExceptInRange('A', 'Z') == false;
}
