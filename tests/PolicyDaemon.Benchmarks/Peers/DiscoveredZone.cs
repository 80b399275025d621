using System.Globalization;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>The zone of destinations without an entry. Each has an MX host; a hundred hosts are shared by all that publish nothing.</summary>
/// <remarks>
/// <code>
/// n0000017.warm.example    publishes nothing, and its DNS answers at once
/// n0000017.slow.example    the same, and each of its own answers takes 1.8 seconds: a try ends after two
/// s0017.sts.example        has a policy of mode enforce, served by <see cref="PolicyHost"/>
/// </code>
/// </remarks>
internal static class DiscoveredZone
{
    internal const int Policies = 200;

    /// <summary>For the self-test of the resolver.</summary>
    internal const string SecureName = "mx.secure.example";

    private const string Hosts = ".hosts.example";
    private const string SlowZone = ".slow.example";

    internal static TimeSpan SlowAnswer { get; } = TimeSpan.FromSeconds(1.8);

    internal static IEnumerable<string> PolicyHosts => Enumerable.Range(0, Policies).Select(index => "mta-sts." + WithPolicy(index));

    internal static string Nothing(int index) => string.Create(CultureInfo.InvariantCulture, $"n{index:D7}.warm.example");

    internal static string Slow(int index) => string.Create(CultureInfo.InvariantCulture, $"n{index:D7}.slow.example");

    internal static string WithPolicy(int index) => string.Create(CultureInfo.InvariantCulture, $"s{index:D4}.sts.example");

    internal static TimeSpan Delay(string name) => name.EndsWith(SlowZone, StringComparison.Ordinal) ? SlowAnswer : TimeSpan.Zero;

    internal static byte[]? Answer(string name, ushort type)
    {
        var label = name.Split('.')[0];
        return type switch
        {
            SimulatedDns.MailType when name.EndsWith(".warm.example", StringComparison.Ordinal) || name.EndsWith(SlowZone, StringComparison.Ordinal) =>
                SimulatedDns.Mail($"mx{int.Parse(label.AsSpan(1), CultureInfo.InvariantCulture) % 100}{Hosts}"),
            SimulatedDns.MailType when name.EndsWith(".sts.example", StringComparison.Ordinal) => SimulatedDns.Mail("mx1." + name),
            SimulatedDns.TextType when label == "_mta-sts" && name.EndsWith(".sts.example", StringComparison.Ordinal) => [18, .. "v=STSv1; id=20261;"u8],
            SimulatedDns.AddressType when label == "mta-sts" => [127, 0, 0, 1],
            SimulatedDns.AddressType when label.StartsWith("mx", StringComparison.Ordinal) => [127, 8, 0, 1],
            _ => null,
        };
    }
}
