namespace PolicyDaemon.Core.Configuration;

/// <summary>Turns a configuration file, or its absence, into <see cref="Settings"/>; reports every problem at once.</summary>
public sealed class SettingsReader
{
    /// <summary>The file that both programs read when the command line names none.</summary>
    public const string DefaultFile = "/etc/policydaemon/policydaemon.conf";

    internal const string NoFile = "built-in default";

    // As in the packaged file.
    private const string PackagedDatabase = "/var/lib/policydaemon/policy.db";
    private const string PackagedStatusFile = "/run/policydaemon/status";
    private const string SnapshotSuffix = ".snapshot";
    private const string StatusSuffix = ".status";
    private const string SocketSuffix = ".sock";

    private readonly SettingValues values;

    private SettingsReader(string file) => values = new SettingValues(file);

    /// <summary>Reads the file named on the command line, else the packaged one if it exists, else the built-in defaults.</summary>
    /// <param name="path">The file named on the command line.</param>
    /// <param name="databaseOverride">The store named on the command line.</param>
    /// <exception cref="ConfigurationException">The file cannot be read or used.</exception>
    public static Settings Load(string? path, string? databaseOverride = null)
    {
        path ??= System.IO.File.Exists(DefaultFile) ? DefaultFile : null;
        var reader = new SettingsReader(path ?? NoFile);
        if (path is not null)
            reader.values.Parse(ReadBytes(path));
        var settings = reader.Settings(path);
        return databaseOverride is null ? settings : Override(settings, databaseOverride);
    }

    /// <summary>Reads what of a configuration can be used, for whoever must see a daemon that has run since before the file was broken.</summary>
    /// <param name="path">The file named on the command line.</param>
    /// <param name="databaseOverride">The store named on the command line.</param>
    /// <param name="problems">What is wrong with the rest; empty where nothing is.</param>
    /// <returns>The settings, with the built-in value in the place of each that cannot be used.</returns>
    /// <exception cref="ConfigurationException">The command line names a file that is not there.</exception>
    public static Settings LoadUsable(string? path, string? databaseOverride, out IReadOnlyList<ConfigurationProblem> problems)
    {
        if (path is not null && !System.IO.File.Exists(path))
            _ = ReadBytes(path); // Why it is not there, or is no file.
        path ??= System.IO.File.Exists(DefaultFile) ? DefaultFile : null;
        try
        {
            return ParseUsable(path, path is null ? [] : ReadBytes(path), databaseOverride, out problems);
        }
        catch (ConfigurationException fault)
        {
            var usable = ParseUsable(path, [], databaseOverride, out _, isKnown: false);
            problems = fault.Problems;
            return usable;
        }
    }

    /// <summary>Reads what of a configuration in memory can be used.</summary>
    /// <param name="path">The file's name; null for none.</param>
    /// <param name="bytes">What it holds.</param>
    /// <param name="databaseOverride">The store named on the command line.</param>
    /// <param name="problems">What is wrong with the rest.</param>
    /// <param name="isKnown">False where nothing is known of what the file holds.</param>
    internal static Settings ParseUsable(
        string? path, ReadOnlySpan<byte> bytes, string? databaseOverride, out IReadOnlyList<ConfigurationProblem> problems, bool isKnown = true)
    {
        var reader = new SettingsReader(path ?? NoFile);
        reader.values.Parse(bytes);
        // The place of the store may stand where nothing can be read: of the packaged file it is nearly always the packaged one.
        if (path == DefaultFile && (!isKnown || reader.values.Problems.Count > 0))
        {
            reader.values.Assume(ConfigurationKeys.Database, PackagedDatabase);
            reader.values.Assume(ConfigurationKeys.StatusFile, PackagedStatusFile);
        }

        var settings = reader.Read(path);
        problems = reader.values.Problems;
        return databaseOverride is null ? settings : Override(settings, databaseOverride);
    }

    /// <summary>Reads a configuration that is already in memory.</summary>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public static Settings Parse(string file, ReadOnlySpan<byte> bytes)
    {
        var reader = new SettingsReader(file);
        reader.values.Parse(bytes);
        return reader.Settings(file);
    }

    /// <summary>Tries what a file would come to.</summary>
    /// <returns>Null where it cannot be used.</returns>
    public static Settings? TryParse(string text)
    {
        try
        {
            return Parse(NoFile, System.Text.Encoding.UTF8.GetBytes(text));
        }
        catch (ConfigurationException)
        {
            return null;
        }
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (stream.CanSeek && stream.Length > IniFile.MaxBytes)
                throw new ConfigurationException(path, 0, "", $"larger than {IniFile.MaxBytes / 1024} KiB; this cannot be the configuration");
            using var buffer = new MemoryStream();
            stream.CopyTo(buffer);
            return buffer.ToArray();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(path, 0, "", $"cannot be read: {Why(exception, path)}");
        }
    }

    private static string Why(Exception exception, string path) => exception switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file; name the configuration with --config",
        UnauthorizedAccessException when Directory.Exists(path) => "it is a directory; name the file in it",
        UnauthorizedAccessException => "permission denied; run this as root, or as a user who may read it",
        _ => exception.Message,
    };

    private Settings Settings(string? path)
    {
        var settings = Read(path);
        return values.Problems.Count == 0 ? settings : throw new ConfigurationException(values.Problems);
    }

    private Settings Read(string? path)
    {
        var (database, beside) = Store();
        var statusFile = FileName(ConfigurationKeys.StatusFile, beside + StatusSuffix);
        var settings = new Settings
        {
            File = path,
            Socketmap = values.List(ConfigurationKeys.Socketmap),
            TcpTable = values.List(ConfigurationKeys.TcpTable),
            MaxConnections = values.Number(ConfigurationKeys.MaxConnections, 16, 100_000),
            Database = database,
            Server = values.Value(ConfigurationKeys.PostgreSql).Text is { Length: > 0 } words ? PostgreSqlWords.Prefix + words : null,
            Node = Name(ConfigurationKeys.Node, HostName),
            Notify = values.YesNo(ConfigurationKeys.Notify),
            Vantage = Name(ConfigurationKeys.Vantage, () => ConfigurationKeys.Vantage.Default),
            Snapshot = FileName(ConfigurationKeys.Snapshot, beside + SnapshotSuffix),
            StatusFile = statusFile,
            StatusSocket = FileName(ConfigurationKeys.StatusSocket, statusFile + SocketSuffix),
            Postfix = new PostfixSettingsReader(values).Read(),
            AssumedOfMainCf = [.. ConfigurationKeys.OfMainCf.Where(key => !values.IsSet(key)).Select(key => key.Name)],
            Discovery = new DiscoveryOptionsReader(values).Read(),
            Probe = new ProbeSettingsReader(values).Read(),
            NameFindings = values.YesNo(ConfigurationKeys.NameFindings),
            Web = new WebSettingsReader(values).Read(),
        };
        CheckStatusSocket(settings);
        if (settings.Discovery is { Mode: DiscoveryMode.On, Dane: true, DefersFirstSight: true } && !settings.Probe.ResolverTrusted)
        {
            // Of no destination would anything ever be known.
            values.Problems.Add(values.Value(DiscoveryKeys.FirstSight).Problem(
                "with dane = yes and resolver_trusted = no nothing is ever known of DANE, and all mail would wait; trust a resolver that validates, or set dane = no"));
        }

        return settings;
    }

    /// <summary>Two things under one path: the one that came later would take the place of the other, or never start.</summary>
    private void CheckStatusSocket(Settings settings)
    {
        var value = values.Value(ConfigurationKeys.StatusSocket);
        if (value.Text.Length == 0)
            return;
        var path = settings.StatusSocket;
        if (path == settings.Database || path == settings.Snapshot || path == settings.StatusFile
            || settings.Socketmap.Concat(settings.TcpTable).Any(endpoint => endpoint.Text == "unix:" + path))
            values.Problems.Add(value.Problem($"'{path}' is in use by another key of this file; give the status socket a path of its own"));
        else if (path.EndsWith('/') || path.Any(char.IsControl))
            values.Problems.Add(value.Problem($"'{path}' names no file; write a path such as /run/policydaemon/status.sock"));
        else if (System.Text.Encoding.UTF8.GetByteCount(path) > MostOfSocketPath)
            values.Problems.Add(value.Problem($"'{path}' is too long; the path of a unix socket has at most {MostOfSocketPath} octets"));
    }

    // unix(7): sun_path holds 108 octets with its NUL; what else must fit is a name beside it that is as long as its file name at most.
    private const int MostOfSocketPath = 107;

    /// <returns>The store, and the path to which suffixes are added for what the daemon keeps beside it.</returns>
    private (string Database, string Beside) Store()
    {
        var path = DatabasePath();
        var engine = values.Value(ConfigurationKeys.StoreEngine);
        var words = values.Value(ConfigurationKeys.PostgreSql);
        if (words.Text.Length > 0 && !PostgreSqlWords.TryParse(words.Text, out _, out var reason))
            values.Problems.Add(words.Problem(reason));
        switch (engine.Text)
        {
            case "sqlite":
                return (path, path);
            case "postgresql":
                if (words.Text.Length == 0)
                    values.Problems.Add(engine.Problem("on which server, and in which database? Add postgresql = host=... dbname=..."));
                return (PostgreSqlWords.Prefix + words.Text, path);
            default:
                values.Problems.Add(engine.Problem($"'{engine.Text}' is neither sqlite nor postgresql"));
                return (path, path);
        }
    }

    /// <summary>A store named on the command line: a path, or a database on a server.</summary>
    private static Settings Override(Settings settings, string named)
    {
        if (PostgreSqlWords.IsNamedBy(named))
        {
            // Nothing lies beside a server: it is the daemon of this machine that has files here.
            return PostgreSqlWords.TryParse(named[PostgreSqlWords.Prefix.Length..], out _, out var reason)
                ? settings with { Database = named, OfMachine = settings }
                : throw new ConfigurationException([new ConfigurationProblem("--database", 0, "", reason)]);
        }

        var path = Path.GetFullPath(named);
        // Another file has its own companions: a foreign snapshot must not be taken for its.
        return path == settings.Database
            ? settings with { OfMachine = settings }
            : settings with { Database = path, Snapshot = path + SnapshotSuffix, StatusFile = path + StatusSuffix, StatusSocket = path + StatusSuffix + SocketSuffix, OfMachine = settings };
    }

    // RFC 1035 section 2.3.4: as long as a host's name can be.
    private const int MostOfName = 255;

    /// <summary>A name that is shown in tables and labels, and stands in commands.</summary>
    private string Name(ConfigurationKey key, Func<string> otherwise)
    {
        var value = values.Value(key);
        if (value.Text.Length == 0)
            return otherwise();
        if (value.Text.Length > MostOfName || !value.Text.All(one => char.IsAsciiLetterOrDigit(one) || one is '.' or '-' or '_') || value.Text[0] == '-')
            values.Problems.Add(value.Problem($"'{value.Text}' is not a name; letters, digits, dots, hyphens and underscores make one"));
        return value.Text;
    }

    private static string HostName() => System.Net.Dns.GetHostName() is { Length: > 0 } name ? name : "localhost";

    private string DatabasePath()
    {
        var value = values.Value(ConfigurationKeys.Database);
        return value.Text.Length > 0 ? values.Absolute(value) : Path.Combine(StateDirectory(), "policy.db");
    }

    /// <summary>The user's state directory (XDG Base Directory Specification), so that the daemon starts without any configuration.</summary>
    private static string StateDirectory()
    {
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state) || !Path.IsPathRooted(state))
            state = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".local", "state");
        return Path.Combine(Path.GetFullPath(state), "policydaemon");
    }

    private string FileName(ConfigurationKey key, string otherwise)
    {
        var value = values.Value(key);
        return value.Text.Length > 0 ? values.Absolute(value) : otherwise;
    }
}
