// A client by the reference library (Debian: libopenigtlink-dev): asks for TDATA and prints, one
// line each, STATUS, TRANSFORM and TDATA as that library reads them. usage: igtl_peer PORT
#include <cstdio>
#include <cstdlib>
#include <igtlClientSocket.h>
#include <igtlStatusMessage.h>
#include <igtlTrackingDataMessage.h>
#include <igtlTransformMessage.h>

static void pose(const char* kind, igtl::MessageBase* from, const char* name, igtl::Matrix4x4& m) {
    unsigned int seconds, fraction;
    from->GetTimeStamp(&seconds, &fraction);
    std::printf("%s %u.%u %s", kind, seconds, fraction, name);
    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 4; column++) std::printf(" %.9g", m[row][column]);
    std::printf("\n");
}

int main(int argc, char** argv) {
    igtl::ClientSocket::Pointer socket = igtl::ClientSocket::New();
    if (argc != 2 || socket->ConnectToServer("127.0.0.1", std::atoi(argv[1])) != 0) return 2;
    socket->SetReceiveTimeout(20000);
    igtl::StartTrackingDataMessage::Pointer start = igtl::StartTrackingDataMessage::New();
    start->SetDeviceName("peer");
    start->SetResolution(20);
    start->SetCoordinateName("Tracker");
    start->Pack();
    socket->Send(start->GetPackPointer(), start->GetPackSize());
    int tdata = 0;
    while (tdata < 20) {
        igtl::MessageHeader::Pointer header = igtl::MessageHeader::New();
        header->InitPack();
        if (socket->Receive(header->GetPackPointer(), header->GetPackSize()) != header->GetPackSize()) return 3;
        header->Unpack();
        const bool is_status = header->GetDeviceType() == std::string("STATUS");
        const bool is_tdata = header->GetDeviceType() == std::string("TDATA");
        if (!is_status && !is_tdata && header->GetDeviceType() != std::string("TRANSFORM")) {
            socket->Skip(header->GetBodySizeToRead(), 0);
            continue;
        }
        igtl::MessageBase::Pointer message;
        if (is_status) message = igtl::StatusMessage::New().GetPointer();
        else if (is_tdata) message = igtl::TrackingDataMessage::New().GetPointer();
        else message = igtl::TransformMessage::New().GetPointer();
        message->SetMessageHeader(header);
        message->AllocatePack();
        if (socket->Receive(message->GetPackBodyPointer(), message->GetPackBodySize()) != message->GetPackBodySize()) return 4;
        // with the checksum checked
        if (!(message->Unpack(1) & igtl::MessageHeader::UNPACK_BODY)) return 5;
        igtl::Matrix4x4 m;
        if (is_status) {
            igtl::StatusMessage* status = static_cast<igtl::StatusMessage*>(message.GetPointer());
            std::printf("STATUS %d %s\n", status->GetCode(), status->GetErrorName());
        } else if (is_tdata) {
            igtl::TrackingDataMessage* all = static_cast<igtl::TrackingDataMessage*>(message.GetPointer());
            for (int k = 0; k < all->GetNumberOfTrackingDataElements(); k++) {
                igtl::TrackingDataElement::Pointer item;
                all->GetTrackingDataElement(k, item);
                if (item->GetType() != igtl::TrackingDataElement::TYPE_6D) return 6;
                item->GetMatrix(m);
                pose("TDATA", message, item->GetName(), m);
            }
            tdata++;
        } else {
            static_cast<igtl::TransformMessage*>(message.GetPointer())->GetMatrix(m);
            pose("TRANSFORM", message, header->GetDeviceName(), m);
        }
    }
    socket->CloseSocket();
    return 0;
}
