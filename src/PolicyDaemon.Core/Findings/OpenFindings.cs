namespace PolicyDaemon.Core.Findings;

/// <summary>The open findings as the status file lists them: the worst first, a bounded number, and how many there are in all.</summary>
/// <remarks>Of one severity the oldest come first. The bounds keep the file below what its readers take, whatever the store holds.</remarks>
/// <param name="Listed">The findings, the worst first.</param>
/// <param name="Counts">How many are open, and of which severity.</param>
public sealed record OpenFindings(IReadOnlyList<FindingJson> Listed, OpenFindingCounts Counts)
{
    /// <summary>How many findings are listed at most.</summary>
    public const int MostListed = 100;

    // Characters; at worst each takes six octets in JSON, and DaemonStatusFile reads 4 MiB.
    private const int MostCharacters = 512 * 1024;

    // The names, times and numbers of a finding, and of a key that an address presented.
    private const int FindingCharacters = 512;
    private const int PresentedCharacters = 768;

    /// <summary>Nothing is open.</summary>
    public static OpenFindings None { get; } = Of([], null);

    /// <param name="own">The loader's findings, which the store may lack: the store is what is broken then.</param>
    /// <param name="stored">What the store has, open findings and others; null where it was not read yet.</param>
    public static OpenFindings Of(IReadOnlyCollection<Finding> own, IReadOnlyCollection<FindingAlert>? stored)
    {
        ArgumentNullException.ThrowIfNull(own);
        var known = own.Select(finding => (finding.Kind, finding.Subject, finding.Node)).ToHashSet();
        List<(Finding Finding, DateTimeOffset? LastSeen)> open = [.. own.Select(finding => (finding, (DateTimeOffset?)null))];
        open.AddRange((stored ?? []).Where(alert => alert.Closed is null && !known.Contains((alert.Finding.Kind, alert.Finding.Subject, alert.Finding.Node)))
            .Select(alert => (alert.Finding, (DateTimeOffset?)alert.LastSeen)));

        var listed = new List<FindingJson>();
        var room = MostCharacters;
        foreach (var (finding, lastSeen) in open.OrderBy(one => one.Finding.Severity).ThenBy(one => one.Finding.Since)
            .ThenBy(one => one.Finding.Subject, StringComparer.Ordinal).ThenBy(one => one.Finding.Kind).Take(MostListed))
        {
            // One that is too long is passed over: a shorter one behind it may still be told.
            var length = Length(finding);
            if (length > room)
                continue;
            room -= length;
            listed.Add(FindingJson.From(finding, lastSeen));
        }

        return new OpenFindings(listed, new OpenFindingCounts(
            open.Count, open.Count - listed.Count, Enum.GetValues<FindingSeverity>().ToDictionary(
                severity => severity.Name(), severity => (long)open.Count(one => one.Finding.Severity == severity))));
    }

    /// <summary>True where both tell a reader the same; when a finding was seen last is no news.</summary>
    public bool SaysTheSameAs(OpenFindings other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Counts.Open == other.Counts.Open && Listed.Select(Told).SequenceEqual(other.Listed.Select(Told));
    }

    private static (string, string, string?, string, string, string, DateTimeOffset, int) Told(FindingJson finding) =>
        (finding.Kind, finding.Subject, finding.Node, finding.Severity, finding.Detail, finding.Remedy, finding.Since, finding.Affects);

    private static int Length(Finding finding) =>
        FindingCharacters + finding.Subject.Length + finding.Detail.Length + finding.Remedy.Length
        + finding.Expected.Sum(pin => pin.Hex.Length + PinPunctuation) + (finding.Seen.Length * PresentedCharacters);

    // Quotes, the comma, the end of line and the blanks before a pin.
    private const int PinPunctuation = 16;
}

/// <summary>How many findings are open.</summary>
/// <param name="Open">All of them.</param>
/// <param name="NotListed">Those that the status file does not list, for want of room; <c>policyctl status --all</c> does.</param>
/// <param name="Severities">How many there are of each severity, see <see cref="FindingSeverities"/>.</param>
public sealed record OpenFindingCounts(int Open, int NotListed, IReadOnlyDictionary<string, long> Severities);
