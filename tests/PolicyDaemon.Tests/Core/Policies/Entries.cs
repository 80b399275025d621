using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

/// <summary>Destinations for tests, as short as what they are about.</summary>
internal static class Entries
{
    internal const string Sha1A = "adf3c3682bce8ddaa383ac84f65b52e0b488cd9b";
    internal const string Sha1B = "0916545ecbb37f0be473646069aa4f72004f0f1c";

    internal static readonly string Sha256A = new('a', 64);
    internal static readonly string Sha256B = new('b', 64);

    internal static readonly PostfixSettings Sha256 = PostfixSettings.Default;
    internal static readonly PostfixSettings Sha1 = Sha256 with { FingerprintDigest = DigestAlgorithm.Sha1 };
    internal static readonly PostfixSettings Newest = Sha256 with { Version = PostfixVersion.Newest };

    internal static PostfixSettings Version(string version)
    {
        Assert.True(PostfixVersion.TryParse(version, out var parsed), version);
        return Sha256 with { Version = parsed };
    }

    internal static Destination Of(TlsLevel level, string key = "example.com") => Of(new TlsPolicy { Level = level }, key);

    internal static Destination Of(TlsPolicy policy, string key = "example.com") =>
        new() { Key = NextHop.Parse(key), Policy = policy };

    internal static Destination Pinned(params string[] fingerprints) =>
        Of(TlsLevel.Fingerprint) with { Pins = [.. fingerprints.Select(hex => Pin(hex))] };

    internal static Pin Pin(string hex, PinState state = PinState.Active, PinSubject subject = PinSubject.Unknown)
    {
        Assert.True(Fingerprint.TryParse(hex, out var fingerprint, out var reason), reason);
        return new Pin(fingerprint, subject, state, PinStrength.Person, DateTimeOffset.UnixEpoch);
    }

    /// <summary>This many different SHA-256 pins.</summary>
    internal static ImmutableArray<Pin> ManyPins(int count) =>
        [.. Enumerable.Range(0, count).Select(number => Pin(number.ToString("x64", null)))];
}
