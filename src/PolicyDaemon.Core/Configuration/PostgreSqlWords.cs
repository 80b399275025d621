using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace PolicyDaemon.Core.Configuration;

/// <summary>Where a store on a PostgreSQL server is, in the words of libpq: <c>host=db1,db2 dbname=policydaemon sslmode=verify-full</c>.</summary>
/// <remarks>
/// <code>
/// word = value, separated by blanks; a value with blanks in single quotes; \' and \\ within       PostgreSQL, libpq, "Connection Strings"
/// </code>
/// A password has no place here: what names the store is shown in messages and findings.
/// </remarks>
public static class PostgreSqlWords
{
    /// <summary>What a store on a server is named with in place of a path: this, then the words.</summary>
    public const string Prefix = "postgresql:";

    /// <summary>The words that are understood.</summary>
    public static readonly IReadOnlyList<string> Known =
        ["host", "port", "dbname", "user", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "target_session_attrs", "application_name"];

    private const string DefaultPort = "5432"; // libpq's

    private static readonly string[] SslModes = ["disable", "require", "verify-ca", "verify-full"];

    private static readonly string[] Sessions = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

    /// <summary>True where a store's name says that it is on a server, and is no path.</summary>
    public static bool IsNamedBy(string database)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.StartsWith(Prefix, StringComparison.Ordinal);
    }

    /// <summary>Reads the words.</summary>
    /// <param name="text">The words, without <see cref="Prefix"/>.</param>
    /// <param name="words">What each says.</param>
    /// <param name="reason">Why they cannot be used, and what to write instead.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out IReadOnlyDictionary<string, string>? words, [NotNullWhen(false)] out string? reason)
    {
        ArgumentNullException.ThrowIfNull(text);
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        words = null;
        var at = 0;
        while (TryReadWord(text, ref at, out var word, out var value, out reason))
        {
            if ((reason = Problem(word, value)) is not null)
                return false;
            if (!read.TryAdd(word, value))
            {
                reason = $"'{word}' is given twice";
                return false;
            }
        }

        if (reason is null && !read.ContainsKey("dbname"))
            reason = "it names no database; add dbname=NAME";
        if (reason is not null)
            return false;
        words = read;
        return true;
    }

    /// <summary>True where two names of stores say the same database on the same server, whoever comes to it and how.</summary>
    /// <param name="one">The one, with <see cref="Prefix"/>.</param>
    /// <param name="other">The other one.</param>
    public static bool NameSamePlace(string one, string other) =>
        IsNamedBy(one) && IsNamedBy(other) && TryParse(one[Prefix.Length..], out var its, out _) && TryParse(other[Prefix.Length..], out var others, out _)
        && its["dbname"] == others["dbname"] && Servers(its).Intersect(Servers(others)).Any();

    private static IEnumerable<(string Host, string Port)> Servers(IReadOnlyDictionary<string, string> words)
    {
        var hosts = words.GetValueOrDefault("host", "").Split(',', StringSplitOptions.TrimEntries);
        var ports = words.GetValueOrDefault("port", DefaultPort).Split(',');
        return hosts.Select((host, i) => (host, ports.Length == 1 ? ports[0] : ports.ElementAtOrDefault(i) ?? DefaultPort));
    }

    private static string? Problem(string word, string value) => word switch
    {
        "password" => "a password does not belong here, where every user of policyctl reads it; write it into a file, and name that with passfile=FILE",
        _ when !Known.Contains(word) => $"'{word}' is not understood; the words are {string.Join(", ", Known)}",
        _ when value.Length == 0 => $"'{word}' has no value",
        "passfile" or "sslrootcert" or "sslcert" or "sslkey" when !value.StartsWith('/') => $"{word}={value}: not an absolute path",
        "sslmode" when !SslModes.Contains(value) => $"sslmode={value}: one of {string.Join(", ", SslModes)}",
        "target_session_attrs" when !Sessions.Contains(value) => $"target_session_attrs={value}: one of {string.Join(", ", Sessions)}",
        "connect_timeout" when !IsNumber(value, 1, 300) => $"connect_timeout={value}: seconds from 1 to 300",
        "port" when !value.Split(',').All(port => IsNumber(port, 1, 65535)) => $"port={value}: a number from 1 to 65535, or one for each host with commas between them",
        _ => null,
    };

    private static bool IsNumber(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most;

    /// <returns>False at the end, and where what comes next is no word; then there is a reason.</returns>
    private static bool TryReadWord(string text, ref int at, out string word, out string value, out string? reason)
    {
        (word, value, reason) = ("", "", null);
        SkipBlanks(text, ref at);
        if (at == text.Length)
            return false;
        var start = at;
        while (at < text.Length && text[at] != '=' && !char.IsWhiteSpace(text[at]))
            at++;
        word = text[start..at];
        SkipBlanks(text, ref at);
        if (at == text.Length || text[at] != '=')
        {
            reason = word.Contains("://", StringComparison.Ordinal) ? "a URI is not understood; write it as host=... dbname=..." : $"'{word}' has no = behind it";
            return false;
        }

        at++;
        SkipBlanks(text, ref at);
        return TryReadValue(text, ref at, word, out value, out reason);
    }

    private static bool TryReadValue(string text, ref int at, string word, out string value, out string? reason)
    {
        var read = new StringBuilder();
        var isQuoted = at < text.Length && text[at] == '\'';
        at += isQuoted ? 1 : 0;
        while (at < text.Length && (isQuoted ? text[at] != '\'' : !char.IsWhiteSpace(text[at])))
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            read.Append(text[at++]);
        }

        (value, reason) = (read.ToString(), null);
        if (!isQuoted)
            return true;
        if (at == text.Length)
        {
            reason = $"the value of '{word}' has no closing quote";
            return false;
        }

        at++;
        return true;
    }

    private static void SkipBlanks(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
    }
}
