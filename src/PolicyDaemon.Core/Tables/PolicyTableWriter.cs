using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>Writes destinations as the source of a <c>hash:</c> or <c>texthash:</c> table: the emergency copy of what is served.</summary>
/// <remarks>
/// <para>Rows are sorted by key and depend on nothing else, so that two exports can be compared. Each carries the text that a
/// lookup is answered with.</para>
/// <para>A file table compares texts, while a lookup folds them: a key that Postfix may spell in several ways is written in
/// each (<c>:587</c> and <c>:submission</c>, <c>[2001:db8::1]</c> and <c>[ipv6:2001:db8::1]</c>, A-labels and U-labels).</para>
/// <para>A destination whose answer is a temporary error gets a policy that Postfix refuses: "invalid security level", and the
/// mail is deferred as it is now. Left out it would be delivered at the default level.</para>
/// <para>What a file cannot say is a comment: level <c>default</c>, and <c>discovered</c>, of which the row says the floor.</para>
/// </remarks>
public static class PolicyTableWriter
{
    /// <summary>No TLS security level, now or ever: Postfix defers the mail (smtp/smtp_tls_policy.c).</summary>
    public const string DeferringPolicy = "unservable-see-comment-above";

    private const int KeyColumn = 40;

    /// <summary>Writes a table.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="destinations">The entries.</param>
    /// <param name="postfix">For which Postfix.</param>
    /// <param name="now">The time, UTC: what has ended is as it is since.</param>
    /// <returns>How many destinations were written, observed (left out), and written so that their mail is deferred.</returns>
    public static (int Written, int Observed, int Deferred) Write(
        TextWriter output, IEnumerable<Destination> destinations, PostfixSettings postfix, DateTimeOffset now)
    {
        int written = 0, observed = 0, deferred = 0;
        output.Write("# Postfix smtp_tls_policy_maps table, written by policyctl export.\n");
        output.Write($"# For Postfix {postfix.Version} and later with smtp_tls_fingerprint_digest = {postfix.FingerprintDigest.Name()}.\n");
        output.Write("# Emergency use: postmap hash:FILE, then smtp_tls_policy_maps = hash:FILE; or texthash:FILE without postmap.\n");
        foreach (var entry in destinations.OrderBy(destination => destination.Key.Text, StringComparer.Ordinal))
        {
            if (entry.At(now) is not { } destination)
                continue;
            if (destination.Until is { } end)
            {
                // The table goes on where the entry ends: whoever serves it by then should know.
                output.Write(string.Create(
                    CultureInfo.InvariantCulture,
                    $"# until {end.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}, then {(destination.AfterEnd() is { } then ? PolicyText.Answer(then, postfix, MapName.TlsPolicy).ToDisplayString() : "no entry")}: {destination.Key.Text}\n"));
            }

            if (destination.Observe)
            {
                observed++;
                output.Write($"# observed, not enforced: {destination.Key.Text} {destination.Policy.Level.Name()}\n");
                continue;
            }

            var answer = PolicyText.Answer(destination, postfix, MapName.TlsPolicy);
            if (destination.Key.IsDefault)
            {
                observed++;
                output.Write($"# every other domain, which no file can say (main.cf: smtp_tls_security_level): {answer.ToDisplayString()}\n");
                continue;
            }

            if (answer.Kind is LookupAnswerKind.NotFound or LookupAnswerKind.AsDiscovered)
            {
                var least = destination.Floor.Level()?.Name();
                output.Write($"# {(answer.Kind == LookupAnswerKind.NotFound ? "as main.cf says, and not discovered" : least is null ? "what it publishes" : $"what it publishes, and at least {least}")}: {destination.Key.Text}\n");
                if (least is not null)
                    WriteRow(output, destination.Key, least);
                (written, observed) = least is null ? (written, observed + 1) : (written + 1, observed);
                continue;
            }

            if (answer.Kind == LookupAnswerKind.Found)
            {
                written++;
                WriteRow(output, destination.Key, answer.Text);
                continue;
            }

            // A comment between two rows is no part of either, and the reason is printable ASCII on one line.
            deferred++;
            output.Write($"# {answer.Text}\n");
            WriteRow(output, destination.Key, DeferringPolicy);
        }

        return (written, observed, deferred);
    }

    /// <summary>The spellings under which Postfix may ask for a key: the canonical one first.</summary>
    internal static IEnumerable<string> Spellings(NextHop key)
    {
        var hosts = new List<string> { WithoutPort(key) };
        if (key.Host.Contains(':', StringComparison.Ordinal))
            hosts.Add(key.IsBracketed ? $"[ipv6:{key.Host}]" : $"ipv6:{key.Host}");
        var shown = key.IsPath ? hosts[0] : hosts[0].Replace(key.Host, NextHop.Parse(key.Host).ToDisplayString(), StringComparison.Ordinal);
        if (shown != hosts[0])
            hosts.Add(shown);

        var suffix = key.Text[hosts[0].Length..];
        var suffixes = new List<string> { suffix };
        if (key.Port is { } port)
            suffixes.AddRange(ServiceNames.Of(port).Select(name => ":" + name));
        return hosts.SelectMany(host => suffixes.Select(end => host + end));
    }

    private static string WithoutPort(NextHop key) =>
        key.Port is { } port ? key.Text[..^(port.ToString(CultureInfo.InvariantCulture).Length + 1)] : key.Text;

    private static void WriteRow(TextWriter output, NextHop key, string policy)
    {
        var row = new StringBuilder();
        foreach (var spelling in Spellings(key))
        {
            if (row.Length > 0)
                row.Append("# the same destination as Postfix may also spell it:\n");
            row.Append(spelling.PadRight(KeyColumn)).Append(' ').Append(policy).Append('\n');
        }

        output.Write(row.ToString());
    }
}
