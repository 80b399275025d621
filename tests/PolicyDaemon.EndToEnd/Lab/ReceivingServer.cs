using System.Net;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>One mail server at an address of its own, on ports 25 and 587. Changes count from the next connection on.</summary>
public sealed class ReceivingServer
{
    private readonly ReceivingPostfix _postfix;
    private readonly int _number;

    internal ReceivingServer(ReceivingPostfix postfix, int number)
    {
        _postfix = postfix;
        _number = number;
    }

    public IPAddress IPv4 => LabNetwork.IPv4(_number);

    public IPAddress IPv6 => LabNetwork.IPv6(_number);

    /// <summary>Offers STARTTLS with these certificates: one, or one per kind of key.</summary>
    public Task PresentAsync(params LabCertificate[] certificates) => _postfix.PresentAsync(_number, certificates);

    /// <summary>Stops offering STARTTLS.</summary>
    public Task WithoutStartTlsAsync() => _postfix.PresentAsync(_number, []);
}
