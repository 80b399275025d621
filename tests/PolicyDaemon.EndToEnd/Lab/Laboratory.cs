namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A sending Postfix, receiving servers, DNS and certificates in a sandbox. One per test collection.</summary>
public abstract class Laboratory(PostfixInstallation postfix) : IAsyncLifetime
{
    /// <summary>The smtp_tls_policy_maps of the sending Postfix, as a person sets it for our daemon.</summary>
    public const string PolicyMap = "socketmap:inet:127.0.0.1:8461:tlspolicy";

    // One prober at a time, beside the daemon that Postfix usually asks.
    private const int ProberPort = 8511;

    private Sandbox? _sandbox;
    private LabDns? _dns;
    private LabNetwork? _network;
    private LabCertificates? _certificates;
    private ReceivingPostfix? _receivers;
    private SendingPostfix? _sender;
    private Policyd? _policyd;

    public Sandbox Sandbox => Started(_sandbox);

    public LabDns Dns => Started(_dns);

    public LabNetwork Network => Started(_network);

    public LabCertificates Certificates => Started(_certificates);

    public ReceivingPostfix Receivers => Started(_receivers);

    public SendingPostfix Sender => Started(_sender);

    public Policyd Policyd => Started(_policyd);

    /// <summary>Whether the Postfix under test has what came with 3.10.</summary>
    public bool IsNewer => postfix.UnpackedRoot is not null;

    /// <summary>Has the daemon running, with the store and configuration it had before.</summary>
    public async Task ServeAsync()
    {
        if (_policyd is null)
        {
            var policyd = new Policyd(Sandbox, "policyd", Path.Combine(Sender.Instance.Queue, "policydaemon"), Policyd.StandardPort);
            await policyd.PrepareAsync();
            _policyd = policyd;
        }

        if (!_policyd.IsRunning) await _policyd.StartAsync();
    }

    /// <summary>Another daemon with a store and ports of its own, beside the one that Postfix asks. Not started yet.</summary>
    public async Task<Policyd> AnotherAsync(string name, int port, string digest = "sha256", int storeMegabytes = 0)
    {
        var policyd = new Policyd(Sandbox, name, Path.Combine(Sandbox.Folder, name, "run"), port);
        await policyd.PrepareAsync(digest, storeMegabytes);
        return policyd;
    }

    /// <summary>The usual section [probe], to be changed for a story.</summary>
    public ProbeConfiguration Probing() => new(Certificates.AuthorityFile);

    /// <summary>Another daemon, with a prober. Not started yet.</summary>
    /// <param name="name">Its folder.</param>
    /// <param name="probe">The section [probe].</param>
    /// <param name="digest">What fingerprint_digest says.</param>
    /// <param name="further">Further lines of [postfix], and sections behind it.</param>
    /// <param name="withStore">False leaves it to the story to make the store.</param>
    public async Task<Policyd> ProberAsync(string name, ProbeConfiguration probe, string digest = "sha256", string further = "", bool withStore = true)
    {
        var policyd = new Policyd(Sandbox, name, Path.Combine(Sandbox.Folder, name, "run"), ProberPort);
        await policyd.PrepareAsync(digest, probe: probe, postfix: further, withStore: withStore);
        return policyd;
    }

    public async ValueTask InitializeAsync()
    {
        _sandbox = await Sandbox.CreateAsync(postfix);
        _network = new LabNetwork(_sandbox);
        await _network.StartAsync();
        _certificates = new LabCertificates(_sandbox);
        _dns = new LabDns(_sandbox);
        await _dns.StartAsync();
        _receivers = new ReceivingPostfix(_sandbox);
        await _receivers.StartAsync();
        _sender = new SendingPostfix(_sandbox);
        await _sender.StartAsync(PolicyMap, _certificates.AuthorityFile);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_policyd is not null) await _policyd.DisposeAsync();
        // Everything else dies with the sandbox.
        if (_dns is not null) await _dns.DisposeAsync();
        if (_sandbox is not null) await _sandbox.DisposeAsync();
    }

    private static T Started<T>(T? part) => part ?? throw new InvalidOperationException("the laboratory did not start");
}
