using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>A pin.</summary>
/// <param name="Fingerprint">Lower-case hexadecimal without colons.</param>
/// <param name="Digest"><c>md5</c>, <c>sha1</c>, <c>sha256</c> or <c>sha512</c>.</param>
/// <param name="Subject"><c>unknown</c>, <c>certificate</c> or <c>public-key</c>.</param>
/// <param name="State"><c>candidate</c>, <c>standby</c>, <c>active</c>, <c>retiring</c>, <c>retired</c> or <c>rejected</c>.</param>
/// <param name="Strength"><c>tofu</c>, <c>person</c>, <c>webpki</c> or <c>dane</c>.</param>
/// <param name="Since">When it entered its state.</param>
/// <param name="Served">Whether it stands in the answer: a served state, and the digest that Postfix compares.</param>
internal sealed record PinJson(
    string Fingerprint, string Digest, string Subject, string State, string Strength, DateTimeOffset Since, bool Served)
{
    internal static PinJson From(Pin pin, DigestAlgorithm digest) => new(
        pin.Fingerprint.Hex,
        pin.Fingerprint.Algorithm.Name(),
        pin.Subject.Name(),
        pin.State.Name(),
        pin.Strength.Name(),
        pin.Since,
        pin.IsServed && pin.Fingerprint.Algorithm == digest);
}
