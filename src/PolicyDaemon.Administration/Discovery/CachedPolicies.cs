using System.Globalization;
using System.Text;
using System.Text.Json;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Discovery;

/// <summary>Takes over the policies of MTA-STS that postfix-mta-sts-resolver has cached, with the times at which it fetched them.</summary>
/// <remarks>
/// <para>A sender keeps to a policy for its max_age (RFC 8461 section 3.2), and whoever changes his daemon is the same sender. A policy
/// in force is taken over, never one that expired or that a newer fetch of ours replaced; it is fetched anew at its next renewal.</para>
/// <para>The cache has the fields of a policy and not its text. So the text is made again, and goes without the id: with it, the first
/// fetch would look like a policy that was changed without a new id.</para>
/// </remarks>
public static class CachedPolicies
{
    private const long LongestValue = 64 * 1024; // discovery fetches no longer policy
    private const int AtOnce = 1000;
    private const int MostProblems = 1000;

    // A clock that is a little behind the other machine's.
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    /// <summary>Reads a cache and remembers what is in force.</summary>
    /// <param name="file">The cache, an SQLite database.</param>
    /// <param name="store">Where it is remembered; open for reading where nothing is to be written.</param>
    /// <param name="scope">What is discovered.</param>
    /// <param name="isDryRun">Nothing is written.</param>
    /// <param name="now">The time, UTC.</param>
    /// <exception cref="StoreException">The cache or the store cannot be used.</exception>
    public static CachedPolicyImport Import(string file, PolicyStore store, DiscoveryScope scope, bool isDryRun, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(scope);
        var taken = new List<NextHop>();
        var (known, expired, other, outside, unreadable) = (0, 0, 0, 0, 0);
        var problems = new List<string>();
        var batch = new List<DiscoveredEntry>();
        foreach (var row in ResolverCache.Read(file, LongestValue))
        {
            if (Policy(row, now, out var policy) is { } problem)
            {
                unreadable++;
                if (problems.Count < MostProblems)
                    problems.Add($"{row.Domain}: {problem}");
                continue;
            }

            if (!NextHop.TryParse(row.Domain, out var key, out _) || !scope.Includes(key))
                outside++;
            else if (policy!.Policy.Mode != StsMode.Enforce)
                other++;
            else if (!policy.IsInForce(now))
                expired++;
            else if (store.FindDiscovered(key) is { } memory && memory.Sts.Kept is { } kept && kept.Fetched >= policy.Fetched)
                known++;
            else
            {
                taken.Add(key);
                batch.Add(Entry(store.FindDiscovered(key) ?? Discovered.Unseen(key), policy));
                if (batch.Count == AtOnce)
                    Write();
            }
        }

        Write();
        return new CachedPolicyImport(taken, known, expired, other, outside, unreadable, problems);

        void Write()
        {
            if (batch.Count > 0 && !isDryRun)
                store.WriteDiscovered(batch);
            batch.Clear();
        }
    }

    private static DiscoveredEntry Entry(Discovered memory, StsKept policy) => new(
        memory with
        {
            Used = memory.Used > policy.Fetched ? memory.Used : policy.Fetched,
            Sts = memory.Sts with { Kept = policy, FetchDue = policy.Fetched + StsRules.BodyRenewal, FetchedAt = policy.Fetched },
        },
        Change: null);

    private static Problem? Policy(CachedPolicyRow row, DateTimeOffset now, out StsKept? policy)
    {
        policy = null;
        if (row.Body is null)
            return new Problem("its policy is too long");
        if (row.Fetched <= 0 || row.Fetched > (now + Ahead).ToUnixTimeSeconds())
            return new Problem(string.Create(CultureInfo.InvariantCulture, $"it was fetched at {row.Fetched} s since 1970, which is no time in the past"));
        if (Text(row.Body) is not { } text)
            return new Problem("its policy is no JSON object with version, mode, max_age and mx");
        if (!StsPolicy.TryParse(text, out var parsed, out var reason))
            return new Problem(reason);
        var fetched = DateTimeOffset.FromUnixTimeSeconds(row.Fetched);
        policy = new StsKept("", text, fetched, fetched + parsed.Lifetime);
        return null;
    }

    /// <summary>The policy as its host may have served it (RFC 8461 section 3.2).</summary>
    private static string? Text(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } root
                || !root.TryGetProperty("mode", out var mode) || mode.ValueKind != JsonValueKind.String
                || !root.TryGetProperty("max_age", out var maxAge) || maxAge.ValueKind != JsonValueKind.Number || !maxAge.TryGetInt64(out var seconds))
                return null;
            // A line that a value would add is none of the policy's.
            if (body.Contains("\\n", StringComparison.Ordinal) || body.Contains("\\r", StringComparison.Ordinal) || body.Contains("\\u000", StringComparison.OrdinalIgnoreCase))
                return null;
            var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"version: STSv1\r\nmode: {mode.GetString()}\r\nmax_age: {seconds}\r\n");
            if (root.TryGetProperty("mx", out var hosts) && hosts.ValueKind == JsonValueKind.Array)
            {
                foreach (var host in hosts.EnumerateArray())
                {
                    if (host.ValueKind != JsonValueKind.String)
                        return null;
                    text.Append(CultureInfo.InvariantCulture, $"mx: {host.GetString()}\r\n");
                }
            }

            return text.ToString();
        }
        // Half a surrogate pair, which JSON can write and no string can hold, is the second.
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>What of a cache was taken over.</summary>
/// <param name="Taken">Policies in force that are remembered now, in the order of their domains.</param>
/// <param name="Known">Those of which a fetch as new or newer was remembered already.</param>
/// <param name="Expired">Those whose time is over.</param>
/// <param name="NotEnforced">Those in mode testing or none: found out anew when mail asks.</param>
/// <param name="Outside">Domains that are not discovered.</param>
/// <param name="Unreadable">Rows that hold no policy.</param>
/// <param name="Problems">These, each with its domain and the reason; the first thousand.</param>
public sealed record CachedPolicyImport(
    IReadOnlyList<NextHop> Taken, int Known, int Expired, int NotEnforced, int Outside, int Unreadable, IReadOnlyList<string> Problems);
