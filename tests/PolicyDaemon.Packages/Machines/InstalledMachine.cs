namespace PolicyDaemon.Packages.Machines;

/// <summary>A mail machine with the package installed, its map in main.cf and an entry that pins partner.test's key.</summary>
public abstract class InstalledMachine(string suite) : IAsyncLifetime
{
    /// <summary>The map as the shipped configuration serves it.</summary>
    public const string InetMap = "socketmap:inet:127.0.0.1:8461:tlspolicy";

    /// <summary>The map over a unix socket, as seen from inside Postfix's chroot and outside.</summary>
    public const string UnixMap = "socketmap:unix:policydaemon/socketmap:tlspolicy";

    public const string UnixEndpoint = "unix:/var/spool/postfix/policydaemon/socketmap";

    private MailMachine? _mail;

    public MailMachine Mail => _mail ?? throw new InvalidOperationException("not booted");

    public Machine Machine => Mail.Machine;

    public string Suite => suite;

    public async ValueTask InitializeAsync()
    {
        _mail = await MailMachine.BootAsync(suite);
        await Mail.InstallAsync(BuiltPackages.Deb);
        await Mail.PinPartnerAsync();
        await Mail.UsePolicyMapAsync(InetMap);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_mail is not null) await _mail.DisposeAsync();
    }
}

public sealed class BookwormMachine() : InstalledMachine("bookworm");

public sealed class TrixieMachine() : InstalledMachine("trixie");

/// <summary>Stories on Debian 12 share one machine.</summary>
[CollectionDefinition]
public sealed class Bookworm : ICollectionFixture<BookwormMachine>;

/// <summary>Stories on Debian 13 share one machine.</summary>
[CollectionDefinition]
public sealed class Trixie : ICollectionFixture<TrixieMachine>;
