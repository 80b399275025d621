using System.Text.Json;
using PolicyDaemon.EndToEnd.Lab;
using PolicyDaemon.EndToEnd.Peers;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>The prober before the mail servers that partners run: it sees what Postfix sees, and they see a polite client.</summary>
[Collection(typeof(Peering))]
public sealed class PeerStories(PeerLaboratory lab) : ProberStories(lab)
{
    public static TheoryData<PeerProgram, PeerSetup> Servers => Each(
        PeerSetup.TwoCertificates, PeerSetup.OneRsa, PeerSetup.OneEcdsaTls12, PeerSetup.OneEcdsaTls13);

    public static TheoryData<PeerProgram, PeerSetup> Dialogues => Each(
        PeerSetup.TwoCertificates, PeerSetup.OneRsa, PeerSetup.OneEcdsaTls12, PeerSetup.WithoutTls, PeerSetup.RefusesEhloOverTls);

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Check_sees_what_posttls_finger_sees(PeerProgram program, PeerSetup setup)
    {
        var peer = await lab.PeerAsync(program, setup);
        var check = (await lab.CheckAsync(peer, Connections(setup))).Report;

        var observation = check.GetProperty("observations")[0];
        var seen = observation.GetProperty("certificates").EnumerateArray().ToList();
        // Not at encrypt, where it would take a handshake without a certificate.
        var fingerprint = await PostTlsFinger.AskAsync(lab, peer.Key, "fingerprint", Text(seen[0], "public_key_fingerprint")!);
        Assert.True(fingerprint.Certificate is not null, $"{fingerprint.Said}\n{peer.Tail}");
        Assert.Equal(
            (fingerprint.Certificate, fingerprint.PublicKey, fingerprint.TlsVersion),
            (Text(seen[0], "certificate_fingerprint"), Text(seen[0], "public_key_fingerprint"), Text(seen[0], "tls_version")));
        // The other certificate, which posttls-finger does not ask for.
        Assert.Equal(
            peer.Certificates.Select(certificate => (certificate.Fingerprint, certificate.PublicKeyFingerprint)).Order(),
            seen.Select(certificate => (Text(certificate, "certificate_fingerprint")!, Text(certificate, "public_key_fingerprint")!)).Order());
        // Of TLS 1.3 only, it cannot be told whether there is another.
        string[] absent = setup switch { PeerSetup.OneRsa => ["ecdsa"], PeerSetup.OneEcdsaTls12 => ["rsa"], _ => [] };
        Assert.Equal(absent, observation.GetProperty("absent").EnumerateArray().Select(algorithm => algorithm.GetString()));

        var encrypt = await PostTlsFinger.AskAsync(lab, peer.Key, "encrypt");
        Assert.True((encrypt.Status is not null) == IsDelivered(check, "encrypt"), $"{encrypt.Said}\n{check}");
        Assert.True((fingerprint.Status == "Verified") == IsDelivered(check, "fingerprint"), $"{fingerprint.Said}\n{check}");
        var secure = await PostTlsFinger.AskAsync(lab, peer.Key, "secure");
        Assert.True((secure.Status == "Verified") == IsDelivered(check, "secure"), $"{secure.Said}\n{check}");
        Assert.Equal(setup is PeerSetup.TwoCertificates or PeerSetup.OneRsa, secure.Status == "Verified");
    }

    [Theory]
    [MemberData(nameof(Dialogues))]
    public async Task A_server_has_nothing_to_complain_of_and_is_told_the_name_in_EHLO_and_QUIT(PeerProgram program, PeerSetup setup)
    {
        var peer = await lab.PeerAsync(program, setup);
        var (report, lines) = await lab.CheckAsync(peer, Connections(setup));

        var log = string.Join('\n', lines);
        Assert.True(peer.Leaves(lines) == (Connections(setup), Connections(setup)), $"{peer.Leaves(lines)}\n{log}\n{report}");
        Assert.True(!peer.Complaints(lines).Any(), log);
        Assert.All(peer.EhloNames(lines), name => Assert.Equal(PeerLaboratory.EhloName, name));
        Assert.True(program == PeerProgram.Postscreen || peer.EhloNames(lines).Any(), log);
    }

    [Theory]
    [InlineData(PeerProgram.Postfix, 1)]
    // To "nothing fits", which GnuTLS also says of a version, the prober asks once more.
    [InlineData(PeerProgram.Exim, 2)]
    public async Task A_server_of_TLS_1_3_only_has_a_failed_handshake_of_the_first_probe_and_of_no_other(PeerProgram program, int failed)
    {
        var peer = await lab.PeerAsync(program, PeerSetup.OneEcdsaTls13);
        var prober = await ProberAsync(Lab.Probing().With("interval", "1s"));
        await prober.PinAsync(peer.Key, [peer.Certificates[0].PublicKeyFingerprint]);
        var before = peer.Lines.Count;
        await prober.Policyd.StartAsync();

        await Until.TrueAsync(
            $"{peer.Host} was probed three times", () => Task.FromResult(peer.Leaves([.. peer.Lines.Skip(before)]).WithQuit >= 3), () => peer.Tail);

        var (ended, withQuit) = peer.Leaves([.. peer.Lines.Skip(before)]);
        Assert.True(ended - withQuit == failed, peer.Tail);
        await prober.AwaitVerdictAsync(peer.Key, "ok");
    }

    [Fact]
    public async Task Setup_proposes_the_name_that_Postfix_says_in_EHLO()
    {
        var peer = await lab.PeerAsync(PeerProgram.Exim, PeerSetup.OneRsa);
        await lab.ServeAsync();
        var before = peer.Lines.Count;
        await Sender.DeliverAsync("somebody@" + peer.Host);
        await Until.TrueAsync($"{peer.Host} was greeted", () => Task.FromResult(peer.EhloNames(peer.Lines.Skip(before)).Any()), () => peer.Tail);
        var name = Assert.Single(peer.EhloNames(peer.Lines.Skip(before)).Distinct());

        var prober = await ProberAsync(Lab.Probing().With("helo_name", ""));
        var setup = await prober.Policyd.CtlAsync("setup", "--postfix", Sender.Instance.Configuration);

        Assert.True(setup.Output.Contains($"helo_name = {name}", StringComparison.Ordinal), $"{setup}");
    }

    /// <summary>A second one asks for the other key algorithm, and a third sends the server's name (SNI) where the certificate is nobody's or another's.</summary>
    private static int Connections(PeerSetup setup) => setup switch
    {
        PeerSetup.TwoCertificates or PeerSetup.OneRsa or PeerSetup.RefusesEhloOverTls => 2,
        PeerSetup.OneEcdsaTls12 or PeerSetup.OneEcdsaTls13 => 3,
        _ => 1,
    };

    private static TheoryData<PeerProgram, PeerSetup> Each(params PeerSetup[] setups)
    {
        var data = new TheoryData<PeerProgram, PeerSetup>();
        foreach (var program in Enum.GetValues<PeerProgram>())
        {
            foreach (var setup in setups.Where(setup => Takes(program, setup))) data.Add(program, setup);
        }

        return data;
    }

    private static bool Takes(PeerProgram program, PeerSetup setup) => setup switch
    {
        // A listener of OpenSMTPD has one certificate for a name.
        PeerSetup.TwoCertificates => program != PeerProgram.OpenSmtpd,
        // Only the configurations of these can refuse EHLO over TLS and accept it before.
        PeerSetup.RefusesEhloOverTls => program is PeerProgram.Exim or PeerProgram.Aiosmtpd,
        _ => true,
    };

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static bool IsDelivered(JsonElement check, string level)
    {
        // Without names: what the level itself compares.
        var row = check.GetProperty("levels").EnumerateArray()
            .First(row => Text(row, "level") == level && (level != "secure" || row.GetProperty("match").GetArrayLength() == 0));
        return row.GetProperty("results").EnumerateArray().Select(result => result.GetString()).SequenceEqual(["sent-over-tls"]);
    }
}
